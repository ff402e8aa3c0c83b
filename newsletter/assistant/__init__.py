"""`newsletter mcp`: an assistant reads and drafts through the API, with a key. It never approves, sends, reveals or exports."""
