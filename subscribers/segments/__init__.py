"""What a segment rule means: the people it selects, its words, its count. Who may be mailed is for `audience`."""
