"""The public side: boards, posts, votes, comments, tags, statuses, roadmap, and promotion of a theme to a post."""
