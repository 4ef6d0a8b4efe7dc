"""Everything between a file of rows and a registered version; needs the extra ``train``."""
