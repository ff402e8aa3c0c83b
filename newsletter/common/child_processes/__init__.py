"""Programs of ours in processes of their own: how they are started, and the messages between them and their parent."""
