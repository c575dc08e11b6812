"""What scripts written for CM and MLCFlow expect to find around them."""
