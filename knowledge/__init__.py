"""What Frontdesk knows: help articles, words and languages."""
