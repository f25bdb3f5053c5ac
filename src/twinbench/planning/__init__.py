"""What determines a result: the keys of runs, the code and the settings of every stage; no TensorFlow, no pandas."""
