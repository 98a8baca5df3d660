"""Tags of this package, for templates of the packages below it too."""
