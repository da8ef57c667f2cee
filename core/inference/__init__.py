"""What a trained model says of pictures and codes."""
