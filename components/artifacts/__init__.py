"""What components record about their artifacts, and check before they read one."""
