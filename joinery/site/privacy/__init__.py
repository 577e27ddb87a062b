"""Pages of privacy: emergencies, questions and reports; what waits for a privacy officer; a person's own record."""
