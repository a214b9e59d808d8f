"""Labels of images: the names of classes, tables, and the tables of public datasets."""
