# Says which rights of our account are missing. The neighbours may not all be there yet: no reason to stop here.
python manage.py check_neighbours || echo "Not everything works yet; see the lines above, and run it again when the neighbours are there."
{%- if not ENTERPRISE_ACCESS_CANARY_USER_ID %}
echo "ENTERPRISE_ACCESS_CANARY_USER_ID is not set; the LMS's job has printed the command that sets it."
{%- endif %}
