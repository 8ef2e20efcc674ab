"""Minutes of the hardest that may come: good, bad and hostile calls without a pause, while processes, database and keys go away."""
