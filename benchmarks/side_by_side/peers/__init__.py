"""Other engines, each as a good engineer of it would build the same journeys with it."""
