"""PostgreSQL: one file per noun, the SQL in it, the migrations beside it."""
