"""The verbs of the image's recipe, one file each."""
