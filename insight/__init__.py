"""What the data says: macro view, friction, real paths, experiments, outcomes, prediction."""
