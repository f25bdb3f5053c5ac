"""Tables to figures and a page. Reads only the folder of tables, and never imports TensorFlow."""
