"""Everything between a registered version and an HTTP answer; needs the extra ``serve``."""
