"""Training of the demo checkpoint; scripts/train_demo.py is its command line."""
