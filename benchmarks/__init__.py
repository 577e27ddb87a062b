"""What Joinery costs, beside named peers doing the same work: `make bench` writes docs/performance.md."""
