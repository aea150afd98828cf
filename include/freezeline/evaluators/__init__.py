"""What single answers are like: evaluators behind one interface, and answers unlike their class."""
