"""Variational auto-encoders as a library: data, models, objectives, training and inference.  No Qt here."""
