-- Words are now kept with numbers, days and sounds of names; everything is queued once more to have them.
UPDATE index_state SET filled = 0;
