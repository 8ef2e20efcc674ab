"""The start page plays an EHR: it opens a chart, fires the hook, shows the cards, and reports what was done with them."""
