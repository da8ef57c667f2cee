"""Model files: safetensors with the configuration inside, written atomically."""
