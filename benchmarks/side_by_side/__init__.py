"""The same journeys in Clew and in what one would build them with instead, on one machine, in turns."""
