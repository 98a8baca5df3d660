"""What the product runs on: tenancy, jobs, outbound HTTP, crypto, embedded PostgreSQL, problem+json."""
