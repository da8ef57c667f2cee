"""Recipes for published figures: each trains by the program's own core and writes down what it reached."""
