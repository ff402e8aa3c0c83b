"""What people see in a terminal: tables and bars. It decides nothing."""
