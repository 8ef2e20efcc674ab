"""The evidence page as a SMART app: launched from an EHR, or by itself (SMART App Launch 2)."""
