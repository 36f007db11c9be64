# The account that the service asks with: staff, and operator of every customer.
./manage.py lms manage_user {{ ENTERPRISE_ACCESS_SERVICE_USERNAME }} {{ ENTERPRISE_ACCESS_SERVICE_USERNAME }}@{{ LMS_HOST }} --staff --unusable-password
./manage.py lms create_dot_application \
  --grant-type client-credentials \
  --client-id {{ ENTERPRISE_ACCESS_OAUTH2_KEY }} \
  --client-secret {{ ENTERPRISE_ACCESS_OAUTH2_SECRET }} \
  --scopes user_id,profile,email \
  --update enterprise-access-backend-service {{ ENTERPRISE_ACCESS_SERVICE_USERNAME }}
# Staff sign in to the admin pages with their LMS account.
./manage.py lms create_dot_application \
  --grant-type authorization-code \
  --redirect-uris "{% if ENABLE_HTTPS %}https{% else %}http{% endif %}://{{ ENTERPRISE_ACCESS_HOST }}/complete/edx-oauth2/" \
  --client-id {{ ENTERPRISE_ACCESS_OAUTH2_KEY_SSO }} \
  --client-secret {{ ENTERPRISE_ACCESS_OAUTH2_SECRET_SSO }} \
  --scopes user_id,profile \
  --skip-authorization \
  --update enterprise-access-sso {{ ENTERPRISE_ACCESS_SERVICE_USERNAME }}
# The role of the account, and a learner who is linked to some customer for good: that the LMS lists this one proves
# that the account may see everybody.
./manage.py lms manage_user enterprise_access_canary enterprise_access_canary@{{ LMS_HOST }} --unusable-password
./manage.py lms shell -c "
from django.contrib.auth import get_user_model
from django.contrib.sites.models import Site
from enterprise import models

users = get_user_model().objects
worker = users.get(username='{{ ENTERPRISE_ACCESS_SERVICE_USERNAME }}')
role, _ = models.SystemWideEnterpriseRole.objects.get_or_create(name='enterprise_openedx_operator')
models.SystemWideEnterpriseUserRoleAssignment.objects.get_or_create(
    user=worker, role=role, enterprise_customer=None, defaults={'applies_to_all_contexts': True}
)
canary = users.get(username='enterprise_access_canary')
customer, _ = models.EnterpriseCustomer.objects.get_or_create(
    slug='enterprise-access-canary',
    defaults={'name': 'Canary of enterprise-access', 'site': Site.objects.order_by('pk').first(), 'country': 'US'},
)
models.EnterpriseCustomerUser.objects.get_or_create(enterprise_customer=customer, user_id=canary.pk)
print('The canary learner has the LMS user id', canary.pk)
print('Let the service know: tutor config save --set ENTERPRISE_ACCESS_CANARY_USER_ID=%d' % canary.pk)
"
