"""What people see: pure functions from our records to messages, and from messages to Slack's blocks or text."""
