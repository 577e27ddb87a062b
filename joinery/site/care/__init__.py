"""Pages of care: to ask a service for something, what waits for whom, the services, and how long people wait."""
