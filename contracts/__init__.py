"""What crosses a process: names, payload types, ids, task queues, search attributes, codec."""
