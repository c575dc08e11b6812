"""What people ask of plans, locks, repositories, hosts and the cache; loaded only when asked."""
