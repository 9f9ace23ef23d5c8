SELECT 1 FROM {schema}.records WHERE false
