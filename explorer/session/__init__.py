"""What is open: document, data, handles, drawing and run.  Intents come in, commands go to the workers."""
