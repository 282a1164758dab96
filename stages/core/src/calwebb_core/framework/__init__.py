"""Names, products, references, parameters, running a list of steps, command-line parts, errors."""
