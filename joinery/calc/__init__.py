"""Pure calculation: no Django, no stored database, no HTTP, no clock."""
