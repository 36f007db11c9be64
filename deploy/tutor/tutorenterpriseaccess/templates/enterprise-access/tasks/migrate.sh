python manage.py migrate --no-input
