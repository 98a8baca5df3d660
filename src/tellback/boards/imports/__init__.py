"""Posts, votes, comments, moves and people that imported files hold."""
