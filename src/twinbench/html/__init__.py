"""What every page of the package is made with: the template engine, and the style that they share."""
