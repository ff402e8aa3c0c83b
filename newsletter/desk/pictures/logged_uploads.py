"""The log of the pages that upload several pictures, and of the chooser's upload: Wagtail logs only its other pages."""

from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from wagtail.images.models import AbstractImage
from wagtail.images.views.chooser import ImageUploadView
from wagtail.images.views.multiple import AddView, CreateFromUploadedImageView, DeleteView, EditView
from wagtail.log_actions import log


class LoggedPictureAdd(AddView):
    def save_object(self, form: object) -> AbstractImage:
        image: AbstractImage = super().save_object(form)
        log(instance=image, action="wagtail.create", user=self.request.user)
        return image


class LoggedPictureCreate(CreateFromUploadedImageView):
    def save_object(self, form: object) -> None:
        super().save_object(form)
        log(instance=self.object, action="wagtail.create", user=self.request.user)


class LoggedPictureEdit(EditView):
    def save_object(self, form: object) -> None:
        super().save_object(form)
        log(instance=self.object, action="wagtail.edit", user=self.request.user)


class LoggedPictureDelete(DeleteView):
    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> JsonResponse:
        with transaction.atomic():
            image = get_object_or_404(self.get_model(), pk=kwargs[self.pk_url_kwarg])
            response: JsonResponse = super().post(request, *args, **kwargs)
            log(instance=image, action="wagtail.delete", user=request.user, deleted=True)
        return response


class LoggedChooserUpload(ImageUploadView):
    def save_form(self, form: object) -> AbstractImage:
        image: AbstractImage = super().save_form(form)
        log(instance=image, action="wagtail.create", user=self.request.user)
        return image
