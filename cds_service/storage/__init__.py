"""What is kept on disk: decisions, the cards that they led to, and what clinicians answered. The one door to SQLAlchemy."""
