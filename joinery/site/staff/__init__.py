"""Pages by which managers look after their own staff, and invited people choose how they log in."""
