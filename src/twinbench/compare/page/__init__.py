"""A comparison as one self-contained page: both graphs side by side, and all that surrounds them."""
