"""What the product runs on: tenancy and row security, jobs, outbound HTTP, crypto, embedded PostgreSQL, problem+json."""
