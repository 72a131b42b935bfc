"""Amazon Web Services: connecting an account, reading it, and the two roles that both need."""
