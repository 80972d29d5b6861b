"""What other tools' documents say, in our words: pure readers, shared by the formats and the sources."""
