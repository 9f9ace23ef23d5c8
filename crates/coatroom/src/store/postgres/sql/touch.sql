SELECT {schema}.touch_record($1, $2, $3, $4)
