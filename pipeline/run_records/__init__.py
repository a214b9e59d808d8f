"""Records of runs: what each did, its log, lists and comparisons."""
