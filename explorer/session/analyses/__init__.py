"""What is known of one image or of the whole data beyond codes and pictures: asked for, and shown, view by view."""
