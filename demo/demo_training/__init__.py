"""Training of the demo checkpoint; demo/train_demo.py is its command line."""
