"""Assessment to cards: order, wording, escaping, and drafts of orders that a clinician may accept."""
